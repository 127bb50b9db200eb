"""python -m strict_moto --port 0: runs the emulator until stdin ends or SIGTERM comes."""

import argparse
import os


def main() -> None:
    parser = argparse.ArgumentParser(prog="strict_moto", description="An AWS emulator for tests.")
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--enforce", action=argparse.BooleanOptionalAction, default=True, help="check keys, sessions, policies and trust (the default)"
    )
    arguments = parser.parse_args()

    # moto reads its settings when imported. Its default AMIs would be 1,177 snapshots that every account seems to own.
    # Certificates would be issued a minute after they are asked for, in the middle of whatever is compared; so they are at once.
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    os.environ.setdefault("MOTO_ACM_VALIDATION_WAIT", "-1")

    from strict_moto import patches, server
    from strict_moto.gateway import Gateway

    patches.apply()
    server.serve(Gateway(arguments.enforce), arguments.port)


if __name__ == "__main__":
    main()
