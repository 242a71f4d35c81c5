export { timingSafeEqual } from 'node:crypto';
