/** undici has no types for its internal modules. This one is what `undici` itself exports as `Pool`. */
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';

  export default Pool;
}
