"""Schemas made of schema/languagemodel.schema.json: the one for editors, and the CustomResourceDefinition.

`strict` adds everything that `render` checks and JSON Schema can say; `crd` says the same to the API server, with CEL for
rules between fields. Both read schema/input-rules.json. Pure: they return data, and print nothing.
"""
