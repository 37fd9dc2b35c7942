/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Touches MIB mebibytes of memory and gives them back: `warm MIB`. In a virtual machine that hands
 * free pages to its host, the first touch of a page waits for the host; whoever is measured right
 * after this finds pages that are there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
	size_t size = argc == 2 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	volatile char *memory;

	if (size == 0) {
		fputs("usage: warm MIB\n", stderr);
		return 2;
	}
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		perror("warm");
		return 1;
	}
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
	return 0;
}
