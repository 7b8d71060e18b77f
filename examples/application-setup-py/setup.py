"""The Flask server of the wiki."""

from setuptools import find_packages, setup

setup(
    name="my-flask-server",
    version="1.0",
    description="Says hello over HTTP",
    packages=find_packages(),
    scripts=["main.py"],
    install_requires=["flask"],
)
