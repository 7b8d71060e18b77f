# /// script
# dependencies = ["scapy"]
# [tool.trace]
# kind = "web"
# ///
"""Make a packet, and list the interfaces by libpcap."""

from scapy.all import IP, TCP, conf

assert bytes(IP(dst="127.0.0.1") / TCP())
conf.use_pcap = True
assert conf.use_pcap
conf.ifaces.reload()
