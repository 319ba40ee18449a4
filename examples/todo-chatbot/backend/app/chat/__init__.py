"""Chat: a loop in which a provider calls tools over the user's todos."""
