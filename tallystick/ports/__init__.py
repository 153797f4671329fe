"""What a provider is: its roles, the records that pass, the errors that may come back."""
