# /// script
# dependencies = ["scapy"]
# [tool.trace]
# kind = "network"
# ///
"""Make a packet, and compile a filter."""

from scapy.all import IP, TCP, conf

assert bytes(IP(dst="127.0.0.1") / TCP())
conf.use_pcap = True
from scapy.arch.libpcap import open_pcap
