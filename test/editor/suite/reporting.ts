/** The environment variable with the path of the file to which the tests write their report as they run. */
export const reportVariable = 'EDITOR_TEST_REPORT';
