# Flagsmith's own SDK for Python, as it is installed from PyPI: only the URL is another.
import sys

from flagsmith import Flagsmith

url, client_key, server_key = sys.argv[1:]

flagsmith = Flagsmith(environment_key=client_key, api_url=url)
flags = flagsmith.get_identity_flags("astrid", traits={"country": "SE"})
print("remote:", flags.is_feature_enabled("express_checkout"), repr(flags.get_feature_value("checkout_button")))

# the SDK's own engine, on the document that it gets once a minute
flagsmith = Flagsmith(environment_key=server_key, api_url=url, enable_local_evaluation=True)
flags = flagsmith.get_identity_flags("astrid", traits={"plan": "pro", "country": "SE", "orders": 74})
print("local: ", flags.is_feature_enabled("express_checkout"), repr(flags.get_feature_value("checkout_button")))
