import { errorCode } from '../oauth/errorResponse.ts';

/** The codes of this extension's own failures. A test compares the list with the source. */
const ownCodes: ReadonlySet<string> = new Set([
  // Discovery and metadata.
  ...['server_url_empty', 'server_url_no_scheme', 'server_url_invalid', 'server_url_credentials'],
  ...['server_url_insecure', 'server_url_fragment', 'server_url_query', 'server_url_sse', 'server_url_trailing_slash'],
  ...['no_resource', 'no_resource_metadata', 'resource_mismatch', 'no_authorization_servers', 'no_mcp_endpoint'],
  ...['no_server_metadata', 'no_issuer', 'bad_issuer', 'issuer_mismatch', 'issuer_missing', 'no_pkce_s256'],
  ...['no_authorization_endpoint', 'bad_authorization_endpoint', 'no_token_endpoint', 'bad_token_endpoint'],
  ...['bad_registration_endpoint', 'bad_revocation_endpoint', 'no_revocation_endpoint'],
  // Registration, authorization and tokens.
  ...['no_registration', 'no_client_id', 'no_client_secret', 'unknown_auth_method'],
  ...['no_channel', 'hosts_declined', 'browser_limit', 'browser_not_opened', 'cancelled'],
  ...['no_code', 'duplicate_parameter', 'state_mismatch', 'not_a_code_response'],
  ...['no_access_token', 'no_token_type', 'unknown_token_type', 'no_refresh_token', 'not_json', 'html'],
  ...['unregistered_error', 'nothing_sent', 'rpc_error', 'no_reply', 'no_result', 'no_identity'],
  // Renewal, sign-out and storage of grants.
  ...['ended', 'ending', 'waiting', 'unconfirmed', 'signed_out'],
  ...['disk', 'locked', 'lock_lost', 'not_stored', 'read_only', 'stale_window'],
  // The network.
  ...['unreachable', 'timeout', 'certificate', 'proxy', 'too_large', 'redirected', 'insecure', 'private_address'],
]);

/** Returns a failure's code if it is our own, OAuth's or an HTTP status, else `other`: no server text gets through. */
export function knownCode(code: string): string {
  return ownCodes.has(code) || errorCode(code) === code || /^http_[1-5]\d\d$/.test(code) ? code : 'other';
}
