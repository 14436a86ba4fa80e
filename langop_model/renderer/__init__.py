"""From a specification to a LiteLLM configuration, one direction and no way back.

source -> manifest -> specification -> plan -> templates -> output check. Each step is a module of that name. Nothing here
imports LiteLLM, opens a socket or reads a clock; the process environment comes in through `settings` alone.

Imports that only some calls need stand inside functions: reading JSON needs no YAML parser, and a right specification
needs no error formatter. A container starts, and a golden test runs, in a fraction of the time.
"""
