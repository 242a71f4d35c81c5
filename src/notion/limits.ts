const dayMs = 24 * 60 * 60_000;

/** Notion ends a grant this long after the sign-in, even if it is renewed. */
export const longestGrantLifeMs = 180 * dayMs;

/** Notion ends a grant that is not renewed for this long. */
export const longestGrantIdleMs = 30 * dayMs;
