"""The channels: Telegram and Bale over the Bot API, the web chat and the terminal over the transcript."""
