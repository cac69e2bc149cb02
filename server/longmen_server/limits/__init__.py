"""What binds a movement of money before it is made: single, daily, yearly and other caps."""
