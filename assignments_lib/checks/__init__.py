"""What each exercise must do, and the mistakes it can name."""
