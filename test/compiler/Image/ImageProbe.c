//===- ImageProbe.c - a program that reads its own image ------------------===//
//
// Its own segments -> "BYTES SUM" of the image on stdout, or "no image". What
// the kernel has mapped is the only input, so it shows that it did.
//
//===----------------------------------------------------------------------===//

#define _GNU_SOURCE
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int visit(struct dl_phdr_info *info, size_t size, void *found) {
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || segment->p_flags != PF_R)
      continue;
    const unsigned char *bytes =
        (const unsigned char *)(info->dlpi_addr + segment->p_vaddr);
    if (segment->p_filesz < 8 || memcmp(bytes, "CLIMAGE1", 8) != 0)
      continue;
    uint64_t sum = 0;
    for (uint64_t b = 0; b < segment->p_filesz; ++b)
      sum = sum * 31 + bytes[b];
    printf("%llu %llu\n", (unsigned long long)segment->p_filesz,
           (unsigned long long)sum);
    *(int *)found = 1;
  }
  return 1; // the first object is the program
}

int main(void) {
  int found = 0;
  dl_iterate_phdr(visit, &found);
  if (!found)
    puts("no image");
  return !found;
}
