"""Lists the USB devices of this machine."""

import usb.backend.libusb1
import usb.core

backend = usb.backend.libusb1.get_backend()
print("libusb:", "found" if backend else "not found")
for device in usb.core.find(find_all=True, backend=backend) if backend else ():
    print(f"{device.idVendor:04x}:{device.idProduct:04x}")
