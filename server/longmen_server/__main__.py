"""`python -m longmen_server` is `longmen`."""

from __future__ import annotations

from longmen_server.cli import main

if __name__ == "__main__":
    main()
