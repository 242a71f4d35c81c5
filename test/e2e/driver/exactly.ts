/** Matches an element whose whole text this is; `getByText` would also find it in a part of it, such as a highlight. */
export function exactly(text: string): RegExp {
  return new RegExp(`^${text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')}$`);
}
