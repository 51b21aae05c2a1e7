"""Runs an OpenID Connect provider with TLS on a free port; says the port in its first line.

python identity_provider.py CERTIFICATE KEY SECONDS_OF_AN_ACCESS_TOKEN
"""

import datetime
import sys

import oidc_provider_mock
import werkzeug.serving


def main():
    certificate, key, seconds = sys.argv[1:]
    app = oidc_provider_mock.app(access_token_max_age=datetime.timedelta(seconds=int(seconds)))
    server = werkzeug.serving.make_server(
        "127.0.0.1", 0, app, threaded=True, ssl_context=(certificate, key)
    )
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
