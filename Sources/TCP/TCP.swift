// TCP
