"""Rewrites the JSON Schemas beside this file."""

from tenancykit.schemas import write_all

if __name__ == "__main__":
    for file in write_all():
        print(file)  # noqa: T201 - a command
