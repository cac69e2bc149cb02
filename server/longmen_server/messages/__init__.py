"""Messages to customers by SMS, e-mail and push, written with the change that they tell of."""
