"""The gateway: keeps what arrives, asks the dialogue, and sends what there is to say."""
