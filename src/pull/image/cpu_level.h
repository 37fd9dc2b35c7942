/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the levels of x86-64 (psABI) the processor and the kernel support. */
#ifndef BERTH_PULL_CPU_LEVEL_H
#define BERTH_PULL_CPU_LEVEL_H

/* 1 to 4; 1 where the processor is no x86-64 one. */
int cpu_level(void);

#endif
