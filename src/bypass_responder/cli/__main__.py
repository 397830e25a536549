"""``python -m bypass_responder.cli``: bypassctl without the console script."""

from bypass_responder.cli.main import main

if __name__ == "__main__":
    main()
