/** One figure; `ratio` is ours divided by the peer's. */
export interface Figure {
  figure: string;
  unit: string;
  ours: number;
  /** NaN if there is no peer to compare with. */
  peer: number;
  ratio: number;
  /** The smallest and the largest of our samples. */
  noise?: [number, number];
}

/** A figure of two medians; `samples` are our measurements, for the noise. */
export function figure(
  name: string,
  unit: string,
  ours: number,
  peer: number,
  samples: readonly number[] = [],
): Figure {
  const noise: [number, number] = [Math.min(...samples), Math.max(...samples)];
  return { figure: name, unit, ours, peer, ratio: ours / peer, ...(samples.length > 0 && { noise }) };
}

/** The value at a quantile (0 to 1) of the samples. */
export function at(samples: readonly number[], quantile: number): number {
  const sorted = [...samples].sort((one, other) => one - other);
  return sorted[Math.min(Math.floor(sorted.length * quantile), sorted.length - 1)] ?? Number.NaN;
}

export function median(samples: readonly number[]): number {
  return at(samples, 0.5);
}
