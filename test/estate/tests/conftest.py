import os
import sys
from pathlib import Path

TEST = Path(__file__).parent.parent.parent
sys.path[:0] = [str(TEST / "emulator"), str(TEST / "estate")]

os.environ.pop("AWS_CA_BUNDLE", None)
