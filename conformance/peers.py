"""nginx and HAProxy as plain reverse proxies before an origin, for comparison. Installed from the
distribution when they are missing."""

import pathlib
import shutil
import socket
import subprocess

from support import Process, until

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream origin {{ server {origin}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 0;
        large_client_header_buffers 8 64k;
        lingering_close off;
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_request_buffering off;
            proxy_buffering off;
        }}
    }}
}}
"""

HAPROXY = """
global
    nbthread 1
    tune.bufsize 65536
    tune.http.maxhdr 512
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend front
    bind 127.0.0.1:{port}
    default_backend back
backend back
    server origin {origin}
"""


def program(name, package=None):
    """The path of a program; installs it first if need be."""
    if shutil.which(name) is None:
        subprocess.run(["apt-get", "install", "-y", "-qq", package or name], check=True)
    return shutil.which(name)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def start(name, template, words, origin, folder):
    folder = pathlib.Path(folder)
    port = free_port()
    config = folder / f"{name}.conf"
    config.write_text(template.format(folder=folder, origin=origin, port=port))
    process = Process([program(name), *words, config], folder, name)

    def listens():
        assert process.process.poll() is None, process.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(listens, what=f"{name} listens")
    return process, f"127.0.0.1:{port}"


def nginx(origin, folder):
    return start("nginx", NGINX, ["-p", folder, "-c"], origin, folder)


def haproxy(origin, folder):
    return start("haproxy", HAPROXY, ["-db", "-f"], origin, folder)
