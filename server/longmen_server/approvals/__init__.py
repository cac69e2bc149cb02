"""Approvals: what one member of staff proposes and another one decides."""
