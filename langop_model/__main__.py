"""`python -m langop_model` is the command langop-model."""

from langop_model.start import main

if __name__ == "__main__":
    main()
