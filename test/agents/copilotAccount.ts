/** Responds to GitHub's and Copilot's requests about an account. @returns undefined if there is no such path */
export function accountResponse(path: string, origin: string): object | undefined {
  const [, response] = Object.entries(responses).find(([end]) => path.endsWith(end)) ?? [];
  return response?.(origin);
}

const expiresAt = 9_999_999_999;

const responses: Record<string, (origin: string) => object> = {
  '/_ping': () => ({}),
  '/models': () => ({ object: 'list', data: models }),
  '/models/session': () => ({
    session_token: 'none',
    selected_model: 'gpt-4.1',
    available_models: ['gpt-4.1'],
    expires_at: expiresAt,
  }),
  '/copilot_internal/v2/token': (origin) => ({
    token: `tid=none;exp=${expiresAt};sku=free;proxy-ep=127.0.0.1`,
    expires_at: expiresAt,
    refresh_in: 100_000,
    endpoints: { api: origin },
    chat_enabled: true,
    sku: 'free',
    individual: true,
  }),
  '/copilot_internal/user': (origin) => ({
    ...{ login: 'tester', id: 1, analytics_tracking_id: 'none', assigned_date: null },
    ...{ access_type_sku: 'free_educational', copilot_plan: 'individual_pro', can_signup_for_limited: false },
    ...{ chat_enabled: true, is_mcp_enabled: true, cli_enabled: true },
    ...{ organization_list: [], organization_login_list: [], quota_snapshots: {} },
    endpoints: { api: origin, telemetry: origin, proxy: origin, 'origin-tracker': origin },
  }),
  '/user': () => ({ login: 'tester', id: 1, name: 'Tester', type: 'User', plan: { name: 'free' } }),
  '/telemetry': () => ({ itemsReceived: 1, itemsAccepted: 1, errors: [] }),
};

/** One model for each agent. */
const models = [
  model('gpt-4.1', 'OpenAI', ['/chat/completions']),
  model('gpt-5.3-codex', 'OpenAI', ['/responses', '/chat/completions']),
  model('claude-sonnet-4.5', 'Anthropic', ['/v1/messages', '/chat/completions']),
];

function model(id: string, vendor: string, endpoints: string[]): object {
  return {
    ...{ id, name: id, version: id, vendor, object: 'model', supported_endpoints: endpoints },
    ...{ preview: false, is_chat_default: true, is_chat_fallback: true },
    ...{ model_picker_enabled: true, model_picker_category: 'versatile' },
    policy: { state: 'enabled' },
    billing: { is_premium: false, multiplier: 0 },
    capabilities: {
      ...{ type: 'chat', object: 'model_capabilities', family: id, tokenizer: 'o200k_base' },
      limits: { max_context_window_tokens: 200_000, max_prompt_tokens: 128_000, max_output_tokens: 16_384 },
      supports: {
        ...{ streaming: true, tool_calls: true, parallel_tool_calls: true },
        ...{ vision: false, structured_outputs: true },
      },
    },
  };
}
