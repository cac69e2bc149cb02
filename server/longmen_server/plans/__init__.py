"""What merchants pay and when they are settled: dated plans, agreed on by two people."""
