"""Understanding and dialogue: Rasa, its components and the channel through which the gateway reaches it."""

import os

# Read once, by the first library with threads that is loaded: threads that wait by spinning take twenty times
# as long as soon as anything else runs on the machine.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
