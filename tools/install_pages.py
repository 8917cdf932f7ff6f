#!/usr/bin/env python3
"""Installs what the program prints about itself: its man page and the completions of the shells. Run by `meson install` with the program and
the folder of shared data."""
import os
import subprocess
import sys

PAGES = {'man/man1/mapferry.1': ['--man'], 'bash-completion/completions/mapferry': ['--completion', 'bash'],
         'zsh/site-functions/_mapferry': ['--completion', 'zsh'], 'fish/vendor_completions.d/mapferry.fish': ['--completion', 'fish']}


def main():
    program, data = sys.argv[1:]
    root = os.path.join(os.environ['MESON_INSTALL_DESTDIR_PREFIX'], data)
    for name, words in PAGES.items():
        path = os.path.join(root, name)
        text = subprocess.run([program, 'help', *words], capture_output=True, check=True).stdout
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(text)
        os.chmod(path, 0o644)
        print(f'Installing {os.path.basename(path)} to {os.path.dirname(path)}')


main()
