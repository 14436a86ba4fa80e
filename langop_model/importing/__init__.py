"""`langop-model import`: a LiteLLM configuration becomes LanguageModels, with a finding for each of its keys.

What a key becomes is said by schema/import.json (model_list) and schema/extra-configuration.json (everything else), so that the
import says of a key what the gateway does with it. Secrets that are written out are never copied. Pure: nothing is printed,
no network, no environment.
"""
