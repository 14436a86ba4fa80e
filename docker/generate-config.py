#!/usr/bin/env python3
"""Print the configuration that the mounted LanguageModel becomes."""

import os
import sys

from langop_model.launch import load_config
from langop_model.renderer.findings import SpecError
from langop_model.report import print_findings

try:
    result = load_config.render_mounted(os.environ)
except SpecError as problem:
    print_findings(problem.findings)
    sys.exit(1)
print_findings(result.findings)
sys.stdout.write(result.text)
