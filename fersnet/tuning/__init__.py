"""The search for settings: by random draws, on people whom no reported figure is about."""
