#!/usr/bin/env python3
"""`python render.py COMMAND`: the same as the installed command `langop-model`."""

from langop_model.start import main

if __name__ == "__main__":
    main()
