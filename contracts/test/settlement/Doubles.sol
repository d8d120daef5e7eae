// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// In place of a terminal verifier: accepts exactly the public inputs that the test has proven elsewhere.
contract VerifierDouble {
    error NotProven();

    mapping(bytes32 digest => bool) public accepted;
    uint256 public immutable profile;

    constructor(uint256 items) {
        profile = items;
    }

    function accept(bytes32 digest) external {
        accepted[digest] = true;
    }

    function verify(bytes calldata limbs, bytes calldata) external view virtual {
        require(accepted[keccak256(limbs)], NotProven());
    }
}

/// An ERC-20 with the vices that are met: how it answers, and what share of a transfer it keeps.
contract OddToken {
    enum Answer {
        True,
        Nothing,
        False
    }

    Answer public answer;
    uint256 public feeBps;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    /// Called before a transfer from or to this account, as ERC-777 does.
    address public hooked;

    constructor(Answer answer_, uint256 feeBps_) {
        answer = answer_;
        feeBps = feeBps_;
    }

    function setHooked(address account) external {
        hooked = account;
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    /// As a token does whose balances change by themselves.
    function shrink(address account, uint256 amount) external {
        balanceOf[account] -= amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external {
        move(msg.sender, to, amount);
        respond();
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        move(from, to, amount);
        respond();
    }

    function move(address from, address to, uint256 amount) private {
        if (answer == Answer.False) return;
        if (hooked != address(0) && (from == hooked || to == hooked)) IHook(hooked).tokensMove();
        balanceOf[from] -= amount;
        balanceOf[to] += amount - amount * feeBps / 10_000;
    }

    function respond() private view {
        if (answer == Answer.Nothing) return;
        bool r = answer == Answer.True;
        assembly ("memory-safe") {
            mstore(0, r)
            return(0, 32)
        }
    }
}

interface IHook {
    function tokensMove() external;
}
