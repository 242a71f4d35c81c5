const dayMs = 24 * 60 * 60_000;

/** Notion ends a grant this long after its sign-in, however often it is renewed. */
export const longestGrantLifeMs = 180 * dayMs;

/** Notion ends a grant that has not been renewed for this long. */
export const longestGrantIdleMs = 30 * dayMs;
