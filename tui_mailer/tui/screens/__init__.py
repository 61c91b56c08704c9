"""The screens: one file per mode or dialog."""
