"""Certificates for tests, made with openssl: an authority, and what it issues."""

import pathlib
import subprocess


def openssl(*words, text=None):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, input=text)
    assert done.returncode == 0, f"openssl {words}: {done.stderr.decode()}"
    return done.stdout


class Pair:
    """A certificate and its key, as files."""

    def __init__(self, folder, name):
        self.cert = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"

    @property
    def pem(self):
        return self.cert.read_bytes()


class Authority(Pair):
    """A certificate authority in a folder of its own."""

    def __init__(self, folder, name="ca"):
        super().__init__(pathlib.Path(folder), name)
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.count = 0
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.key, "-out", self.cert, "-days", "30",
                "-subj", f"/O=Suite/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name, *names, key="ec", usage="serverAuth", dates=None, subject=None):
        """A certificate for DNS names; `key` is ec, rsa or rsa:BITS, `dates` its first and last
        second as openssl writes them."""
        self.count += 1
        made = Pair(self.folder, f"{name}-{self.count}")
        kind = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else [key]
        request = self.folder / "request.csr"
        openssl("req", "-new", "-newkey", *kind, "-nodes", "-keyout", made.key, "-out", request,
                "-subj", subject or f"/CN={name}")
        extensions = self.folder / "extensions"
        lines = [f"extendedKeyUsage={usage}", "basicConstraints=CA:FALSE"]
        if names:
            lines.append("subjectAltName=" + ",".join(f"DNS:{one}" for one in names))
        extensions.write_text("\n".join(lines))
        own = ["-in", request, "-out", made.cert, "-extfile", extensions]
        if dates:
            first, last = dates
            self.ca("-batch", "-notext", *own, "-startdate", first, "-enddate", last)
        else:
            openssl("x509", "-req", *own, "-CA", self.cert, "-CAkey", self.key, "-days", "7",
                    "-set_serial", str(0x1000 + self.count))
        return made

    def revoke(self, *pairs):
        """A revocation list with these certificates in it, PEM."""
        for pair in pairs:
            self.ca("-revoke", pair.cert)
        return self.ca("-gencrl")

    def ca(self, *words):
        """`openssl ca`, which keeps a list of what it issued and revoked."""
        config, folder = self.folder / "ca.cnf", self.folder
        if not config.exists():
            (folder / "index.txt").write_text("")
            (folder / "crlnumber").write_text("01\n")
            config.write_text(
                "[ca]\ndefault_ca=own\n[own]\npolicy=any\nrand_serial=yes\nunique_subject=no\n"
                f"database={folder / 'index.txt'}\ncrlnumber={folder / 'crlnumber'}\n"
                f"new_certs_dir={folder}\ndefault_md=sha256\ndefault_crl_days=7\n"
                "[any]\ncommonName=supplied\n"
            )
        return openssl(
            "ca", "-config", config, "-keyfile", self.key, "-cert", self.cert, *words
        )
