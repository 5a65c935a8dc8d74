# What u-boot runs. QEMU has put the kernel into memory, and its command line into the device tree.
echo "u-boot starts the kernel"
booti ${kernel_addr_r} - ${fdt_addr}
