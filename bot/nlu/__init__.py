"""Understanding and dialogue: Rasa, its components and the channel through which the gateway reaches it."""
