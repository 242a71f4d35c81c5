/** Matches elements whose whole text is `text`. `getByText` would also match parts of one, such as a highlight. */
export function exactly(text: string): RegExp {
  return new RegExp(`^${text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')}$`);
}
