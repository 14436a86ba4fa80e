"""`make image-test`: builds the image, runs it as deploy/base would, and looks at what it does."""
