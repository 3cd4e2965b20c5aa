"""Names of settings in Actions, Lambda and elsewhere."""

SECRETS = frozenset({"github_token", "github_app_key"})
"""Settings that only the environment can set, and that no message quotes."""

_TEMPLATE_PARAMETERS = {
    "github_token": "the SSM parameter that `TokenParameter` names",
    "github_app": "`AppId`",
    "github_app_key": "the SSM parameter that `AppKeyParameter` names",
}
"""Where a setting is in the Lambda's template."""


def environment_name(setting: str) -> str:
    """Return a setting's environment variable: `export_to` is `GHTRAFFIC_EXPORT_TO`."""
    return f"GHTRAFFIC_{setting.upper()}"


def input_name(setting: str) -> str:
    """Return a setting's input, also its name in messages: `export_to` is `export-to`."""
    return setting.replace("_", "-")


def setting_name(setting: str, platform: str) -> str:
    """Return a setting's name on this platform."""
    if platform == "Lambda":
        return _TEMPLATE_PARAMETERS.get(setting, f"`{environment_name(setting)}`")
    if platform == "Actions":
        return f"`{input_name(setting)}`"
    return f"`{environment_name(setting)}`" if setting in SECRETS else f"`--{input_name(setting)}`"


def how_to_set(setting: str, value: str, platform: str) -> str:
    """Return how to set a setting to a value."""
    if platform == "Actions":
        return f"add `{input_name(setting)}: {value}` below `with:`"
    if platform or setting in SECRETS:
        return f"set {environment_name(setting)}={value}"
    return f"add `--{input_name(setting)} {value}` or set {environment_name(setting)}"
