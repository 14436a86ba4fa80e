"""The commands of `langop-model`, a module for each. `cli` loads the one that is asked for, and no other."""

# A command, and how its help begins: importing all commands to list them would take longer than reading the list.
COMMANDS = {
    "render": "Write the configuration of each SOURCE",
    "validate": "Check each SOURCE, and write nothing but findings",
    "explain": "Say for each field of SOURCE which value counts, where it comes from, what it does, and how faithfully",
    "diff": "Say what changes in behaviour from OLD to NEW",
    "import": "Turn CONFIG, an existing config.yaml of LiteLLM, into LanguageModels",
    "providers": "List the providers: their names, what each needs, and what it serves",
    "schema": "Print a schema",
    "launch": "Render what is mounted, load the secrets, and start the gateway",
}
