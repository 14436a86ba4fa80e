#!/usr/bin/env python3
"""Print the configuration that the mounted LanguageModel becomes: `langop-model render --mounted`."""

import sys

from langop_model.cli import main

main(["render", "--mounted", *sys.argv[1:]])
