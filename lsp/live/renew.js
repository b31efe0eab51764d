const trouble = document.getElementById('trouble');
const state = document.getElementById('state');
async function renew() {
  try {
    const answer = await fetch('state', { cache: 'no-store' });
    if (!answer.ok) throw new Error(await answer.text());
    state.innerHTML = await answer.text();
    trouble.hidden = true;
  } catch (e) {
    trouble.textContent = 'The process does not answer: ' + e.message;
    trouble.hidden = false;
  }
  setTimeout(renew, 1000);
}
setTimeout(renew, 1000);
