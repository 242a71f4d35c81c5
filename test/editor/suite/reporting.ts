/** Where the tests write their report as they go: the path of a file. */
export const reportVariable = 'EDITOR_TEST_REPORT';
