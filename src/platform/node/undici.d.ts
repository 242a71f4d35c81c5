/** undici has no types for its parts; this is what `undici` itself exports under the name. */
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';

  export default Pool;
}
